"""The numbers of every telegram, packed column by column."""
