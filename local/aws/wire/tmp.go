package wire

type route struct{}

func parseRoute(string) route { return route{} }

type quirks struct{}

func quirksOf(string) quirks { return quirks{} }

func enumValues(string) map[string][]string { return map[string][]string{} }
