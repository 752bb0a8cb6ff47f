"""One grammar of queries for every interface: text and JSON become a `Query`, and cursors become tokens."""
