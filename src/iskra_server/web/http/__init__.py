"""HTTP: the application, access rules, headers, errors, pages."""
