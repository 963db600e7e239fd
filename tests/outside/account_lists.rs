//! What a logout names and what the device has: account types left out, accounts that are not bound, rows that must not outgrow an item.
