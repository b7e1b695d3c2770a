"""What a start need not read again: state kept beside the record, and the audit that proves it."""
