"""What is put on paper: pictures, sheets that people read and sign, and their PDF."""
