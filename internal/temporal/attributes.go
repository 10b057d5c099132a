package temporal

import "go.temporal.io/sdk/temporal"

// LifelineApplication is the plan's application.
func LifelineApplication() temporal.SearchAttributeKeyKeyword {
	return temporal.NewSearchAttributeKeyKeyword("LifelineApplication")
}

// LifelineRunbook is the runbook that plays: failover, switchover, failback.
func LifelineRunbook() temporal.SearchAttributeKeyKeyword {
	return temporal.NewSearchAttributeKeyKeyword("LifelineRunbook")
}

// LifelinePhase is the stage that the run is in.
func LifelinePhase() temporal.SearchAttributeKeyKeyword {
	return temporal.NewSearchAttributeKeyKeyword("LifelinePhase")
}

// LifelineRegion is the Region that the run moves to.
func LifelineRegion() temporal.SearchAttributeKeyKeyword {
	return temporal.NewSearchAttributeKeyKeyword("LifelineRegion")
}

// LifelineRtoState says how the run stands against its objective.
func LifelineRtoState() temporal.SearchAttributeKeyKeyword {
	return temporal.NewSearchAttributeKeyKeyword("LifelineRtoState")
}
