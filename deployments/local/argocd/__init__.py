"""A stand-in for Argo CD: its REST API over a state machine that follows a real git repository and a real registry.

It runs no workload. An application is Healthy once the image that its chart names under `image` was fetched whole from
the embedded registry; images under other keys (databases, brokers) are taken to be on the node already. No other host
can be reached from here, so an image of another host is never pulled.
"""
