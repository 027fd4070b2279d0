"""Uploaded files, stored in the database until the job that reads them is finished."""
