package chat

// Setup is one tenant's settings as code: a document of the setup file
// (specs/setup.md). The lists match what is stored by name (operators by
// login). References between settings are by name.
type Setup struct {
	Tenant       string        `json:"tenant"`
	Channels     []Channel     `json:"channels,omitempty"`
	Bots         []Bot         `json:"bots,omitempty"`
	Integrations []Integration `json:"integrations,omitempty"`
	Managers     []Manager     `json:"managers,omitempty"`
	Units        []Unit        `json:"units,omitempty"`
	Skills       []Skill       `json:"skills,omitempty"`
	Tags         []Tag         `json:"tags,omitempty"`
	Operators    []Operator    `json:"operators,omitempty"`
	Segments     []Segment     `json:"segments,omitempty"`
	Routes       []Route       `json:"routes,omitempty"`
	Tasks        []Task        `json:"tasks,omitempty"`
	APIKeys      []APIKey      `json:"api_keys,omitempty"`
}

// Problem is one thing that is wrong with a setup. Path leads to it, in the
// words of the file: `channels[2].kind`. Message says what to do about it.
type Problem struct {
	Path    string
	Message string
}
