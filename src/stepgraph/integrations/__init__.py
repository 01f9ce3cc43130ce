"""Other libraries' objects as parts of a graph. Each module needs the package that it is named after."""
