"""Argosy's engine: releases the services of a monorepo. Plain Python; it never imports Prefect."""
