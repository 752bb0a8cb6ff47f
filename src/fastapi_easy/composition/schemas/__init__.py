"""What happens to stored schemas: at start, and when somebody asks for a migration."""
