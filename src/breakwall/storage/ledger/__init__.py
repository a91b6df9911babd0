"""The books for people and reports: a projection of the journal, and facts of the market. No decision reads them."""
