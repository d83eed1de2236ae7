//! Kubernetes: connection, reads, feeds, the one write call, and wire JSON turned into the domain.
