"""Who calls over HTTP: finds credentials in requests, and asks the kernel whose they are."""
