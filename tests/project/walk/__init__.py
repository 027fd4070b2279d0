"""What tests/project/test_deploy_walk.py puts into its copy of a system."""
