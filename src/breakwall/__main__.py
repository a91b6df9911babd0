"""`python -m breakwall`."""

from breakwall.cli import main

if __name__ == "__main__":
    main()
