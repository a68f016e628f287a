"""The data plane of OCI registries: manifests and tags, logins, retries, and which registry is whose."""
