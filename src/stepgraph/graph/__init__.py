"""Building graphs and running them."""
