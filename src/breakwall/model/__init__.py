"""The words of the trade: units, events, actions, commands, money and text. No I/O, no clock."""
