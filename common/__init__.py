"""What every script needs and no music: input errors, exit statuses, whole files, processes."""
