"""How Argosy is run: registration on a Prefect server, images, and the embedded stack."""
