package render

// word is what the schema says of a type or a field beyond its Go type.
type word struct {
	is          string
	enum        []any
	nullable    bool // null means unknown
	scalar      bool // a number, a text, a boolean or null
	score       bool // between 0 and 1
	atLeastZero bool
}

// fieldWords is keyed by Go type, or by type and field.
func fieldWords() map[string]word {
	scopes := []any{"group", "target", "rank", "gpu"}
	return map[string]word{
		"Report":               {is: "The whole answer of one run."},
		"Report.Version":       {is: "Version of this contract.", enum: []any{"1"}},
		"Report.GeneratedAt":   {is: "When the report was made, in UTC."},
		"Report.WindowSeconds": {is: "The window the rules judged.", atLeastZero: true},
		"Report.Partial":       {is: "True when a source failed, so that something may have gone unseen."},
		"Report.Faults":        {is: "The sources that failed and how."},
		"Report.Targets":       {is: "One diagnosis per entity."},

		"Diagnosis":              {is: "The answer for one entity."},
		"Diagnosis.Target":       {is: "The labels that identify the entity."},
		"Diagnosis.Scope":        {is: "What kind of thing the entity is.", enum: scopes},
		"Diagnosis.Engine":       {is: "The server's software."},
		"Diagnosis.Status":       {is: "The answer in a word. Unknown means that not enough was seen to tell; it is never a quiet healthy.", enum: []any{"healthy", "idle", "degraded", "down", "unknown"}},
		"Diagnosis.Summary":      {is: "The answer in a sentence."},
		"Diagnosis.UnknownScore": {is: "The share of belief that none of the known causes is behind it.", score: true},
		"Diagnosis.Fingerprint":  {is: "Stays the same while entity, cause and onset do."},
		"Diagnosis.BoundBy":      {is: "What a step of the engine spends its time on; null when unknown.", enum: []any{"compute", "bandwidth", "latency", "host"}, nullable: true},
		"Diagnosis.Ceiling":      {is: "What the hardware allows at best, and how near the server comes; absent where the GPU or the model's shape is unknown."},
		"Diagnosis.Onset":        {is: "When the harm began; null when unknown or when there is none.", nullable: true},
		"Diagnosis.Changed":      {is: "What was different from the onset on."},
		"Diagnosis.Impact":       {is: "Who is hurt."},
		"Diagnosis.Symptoms":     {is: "The harm that was seen."},
		"Diagnosis.Causes":       {is: "Candidate causes, best first. At most one is primary."},
		"Diagnosis.Missing":      {is: "Signals that could not be seen."},
		"Diagnosis.Notes":        {is: "Remarks that are no findings."},

		"Diagnosis.Examples": {is: "Traced requests that show the harm, the worst first; absent where no traces were read."},

		"Example":              {is: "One traced request. What its spans did not tell is absent."},
		"Example.TraceID":      {is: "The id of its trace, 32 hexadecimal digits."},
		"Example.Link":         {is: "Where the trace can be looked at."},
		"Example.Shows":        {is: "What it is an example of.", enum: []any{"slow first token", "slow tokens", "slow request"}},
		"Example.At":           {is: "When it arrived, in UTC."},
		"Example.TTFT":         {is: "The time to its first token.", atLeastZero: true},
		"Example.Queue":        {is: "The time that it waited to be scheduled.", atLeastZero: true},
		"Example.Prefill":      {is: "The time of its prefill.", atLeastZero: true},
		"Example.Decode":       {is: "The time from its first token to its last.", atLeastZero: true},
		"Example.E2E":          {is: "The time of the whole request.", atLeastZero: true},
		"Example.PromptTokens": {is: "The tokens of its prompt.", atLeastZero: true},
		"Example.OutputTokens": {is: "The tokens that it wrote.", atLeastZero: true},

		"EngineInfo":         {is: "The server's software as far as it is known."},
		"EngineInfo.Name":    {is: "Its metric dialect: vllm, sglang, …; empty when unknown."},
		"EngineInfo.Version": {is: "Its version; starts with >= when inferred, empty when unknown."},

		"Change":      {is: "Something that was different from the onset on."},
		"Change.What": {is: "The signal, label or setting."},
		"Change.From": {is: "Before the onset; null when unknown.", scalar: true},
		"Change.To":   {is: "After the onset; null when unknown.", scalar: true},
		"Change.At":   {is: "When it changed, in UTC."},

		"Ceiling":                 {is: "What the hardware allows a step at best, by data sheets and the model's shape. Null where it could not be computed."},
		"Ceiling.Phase":           {is: "What most of the step is for.", enum: []any{"decode", "prefill"}},
		"Ceiling.StepSeconds":     {is: "The mean step of the engine.", atLeastZero: true},
		"Ceiling.FloorSeconds":    {is: "What it takes at least: the longest of reading, arithmetic and exchange.", atLeastZero: true},
		"Ceiling.Ratio":           {is: "The floor over the step: 1 at the ceiling, 0.4 to 0.8 on servers in good order.", atLeastZero: true},
		"Ceiling.Limit":           {is: "Which of the three takes longest.", enum: []any{"bandwidth", "compute", "interconnect"}},
		"Ceiling.MemorySeconds":   {is: "Reading weights and KV cache at the memory's bandwidth.", nullable: true},
		"Ceiling.ComputeSeconds":  {is: "Computing the step's tokens at the dense rate of the weights' type.", nullable: true},
		"Ceiling.ExchangeSeconds": {is: "All-reduces over the links between GPUs; 0 on one GPU.", nullable: true},
		"Ceiling.DecodeMost":      {is: "Generated tokens a second at best with the present batch and context.", nullable: true},
		"Ceiling.PoolBatch":       {is: "Requests that the KV pool holds, half way through their output on average.", nullable: true},
		"Ceiling.PoolMost":        {is: "Generated tokens a second at best with that batch.", nullable: true},
		"Ceiling.PrefillMost":     {is: "Prompt tokens a second at best.", nullable: true},
		"Ceiling.Far":             {is: "True when the hardware explains under 0.4 of the step, so that something else holds the server."},
		"Ceiling.Says":            {is: "Who can help: settings, or only other work and other hardware."},

		"Impact":                       {is: "Who is hurt. Null where it could not be computed."},
		"Impact.RequestsPerSecondHurt": {is: "Requests a second that miss their objective.", nullable: true},
		"Impact.TokensPerSecondLost":   {is: "Tokens a second below what this server could do.", nullable: true},

		"Symptom":             {is: "Harm that was seen."},
		"Symptom.ID":          {is: "The rule, in kebab case."},
		"Symptom.Title":       {is: "The rule's title."},
		"Symptom.Severity":    {is: "How bad it is.", enum: []any{"info", "warning", "critical"}},
		"Symptom.State":       {is: "Pending until it held for as long as the rule asks.", enum: []any{"pending", "firing"}},
		"Symptom.Since":       {is: "When it was first seen, in UTC."},
		"Symptom.HeldSeconds": {is: "How long it was observed to hold.", atLeastZero: true},
		"Symptom.Scope":       {is: "The scope of the rule.", enum: scopes},
		"Symptom.Members":     {is: "The members of a wider scope that show it."},
		"Symptom.Evidence":    {is: "What was seen."},

		"Evidence":        {is: "One sentence and, where it rests on one signal, that signal's value."},
		"Evidence.Text":   {is: "The sentence."},
		"Evidence.Signal": {is: "The signal it rests on."},
		"Evidence.Value":  {is: "The signal's value."},
		"Evidence.Bound":  {is: "Whether the truth is the value, at most or at least the value.", enum: []any{"exact", "at_most", "at_least"}},
		"Evidence.Unit":   {is: "The value's unit."},
		"Evidence.Weight": {is: "Support in log-odds; negative against, absent for a symptom's evidence."},

		"Cause":                  {is: "A candidate explanation."},
		"Cause.ID":               {is: "The cause, in kebab case."},
		"Cause.Title":            {is: "What is wrong."},
		"Cause.Layer":            {is: "Where it lies.", enum: []any{"business", "system", "operator"}},
		"Cause.Score":            {is: "Its share of belief among the causes that compete with it.", score: true},
		"Cause.Primary":          {is: "True for the one cause that is named."},
		"Cause.Explains":         {is: "The symptoms it explains."},
		"Cause.ConsequenceOf":    {is: "The cause that this one follows from."},
		"Cause.RecordingsBehind": {is: "How many recordings with this cause known stand behind the score.", atLeastZero: true},
		"Cause.For":              {is: "Evidence for it."},
		"Cause.Against":          {is: "Evidence against it."},
		"Cause.Unseen":           {is: "What would be needed to tell."},
		"Cause.Changes":          {is: "What to do about it, first things first."},

		"Action":               {is: "One thing to do about a cause. knob, flag, from and to are there exactly where kind is knob."},
		"Action.Kind":          {is: "What kind of cure it is.", enum: []any{"knob", "scale", "route", "drain", "client", "fix"}},
		"Action.When":          {is: "Whether it can be done now or with the next rollout.", enum: []any{"now", "rollout"}},
		"Action.Knob":          {is: "The canonical name of the knob; null when it has none.", nullable: true},
		"Action.Flag":          {is: "The launch option; null when it has none.", nullable: true},
		"Action.From":          {is: "The value now; null when unknown.", nullable: true},
		"Action.FromSource":    {is: "Where the value now was read; inferred when deduced from behaviour."},
		"Action.To":            {is: "The value to set; null when only the direction is known.", nullable: true},
		"Action.Text":          {is: "The action in words."},
		"Action.Why":           {is: "Why it helps."},
		"Action.Cost":          {is: "What it costs."},
		"Action.Rollback":      {is: "How to undo it."},
		"Action.Restart":       {is: "Whether the server must restart."},
		"Action.ChangesOutput": {is: "Whether the model's answers may change."},
		"Action.Verify":        {is: "What must move when it helped; null when nothing seen would show it.", nullable: true},

		"Verify":        {is: "Which signal must move, and which way."},
		"Verify.Signal": {is: "The signal."},
		"Verify.Expect": {is: "Which way it must move.", enum: []any{"up", "down"}},

		"Missing":        {is: "A signal that could not be seen."},
		"Missing.Signal": {is: "The signal."},
		"Missing.Needs":  {is: "What would show it."},
	}
}
