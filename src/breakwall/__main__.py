"""`python -m breakwall`: the same as the `breakwall` script."""

from breakwall.cli import main

if __name__ == "__main__":
    main()
