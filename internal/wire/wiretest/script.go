package wiretest

// script is how the bot of a site speaks.
const script = `
states:
  - name: /Later
    patterns: [remind me]
    replies:
      - text: one moment
      - {text: here it is, after: 100ms}
  - name: /Quiet
    patterns: ["quiet *"]
    replies: []
fallback:
  name: /Echo
  replies: [{text: "{{ text }}"}]
`
