"""The page of figures for staff: /admin/analytics/."""
