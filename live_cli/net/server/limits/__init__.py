"""What clients may cost the server: sizes, rates, back pressure and how long sessions last."""
