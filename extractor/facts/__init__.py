"""The words of the field: what a fact is and the values it is made of."""
