"""Who owns which field: what server-side apply and `managedFields` are made of."""
