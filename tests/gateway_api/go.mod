// What the real tests know of the Gateway API: the definitions of its kinds.
module rolldeck.dev/tests/gateway_api

go 1.24.0

require sigs.k8s.io/gateway-api v1.3.0
