"""`make doctor`: checks a deployed stack with the caller's credentials, and changes nothing."""
