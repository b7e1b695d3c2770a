"""What the machine of a node needs looking after: certificates that end, copies of the record."""
