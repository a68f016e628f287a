"""The control plane of Amazon ECR: repositories, lifecycle policies and the whole registry as they should be."""
