//! `mscommerce` shows and changes which Microsoft 365 products people in an organisation may buy for themselves.
