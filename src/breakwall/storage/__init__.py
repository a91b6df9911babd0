"""What is kept on the disk: the journal, the recording, and where both live."""
