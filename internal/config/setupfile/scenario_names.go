package setupfile

import (
	"fmt"
	"io/fs"
	"path"

	"github.com/tolmach/tolmach/internal/chat"
)

// Name is what a setup file is called where only one stands.
const Name = "setup.yaml"

// NameScenarios gives every scenario text of the setups a file name of its own,
// below the directory of the setup file, and returns the texts by name. Bots
// keep the names they have as long as one name means one text.
func NameScenarios(setups []chat.Setup) map[string]string {
	files := map[string]string{}
	for i := range setups {
		for j := range setups[i].Bots {
			bot := &setups[i].Bots[j]
			if bot.Kind != chat.BotScenario {
				continue
			}
			wish := path.Clean(bot.File)
			if !fs.ValidPath(wish) || wish == "." || wish == Name {
				wish = "scenario.yaml"
			}
			bot.File = wish
			for n := 2; ; n++ {
				if text, taken := files[bot.File]; !taken || text == bot.Scenario {
					break
				}
				ext := path.Ext(wish)
				bot.File = fmt.Sprintf("%s-%d%s", wish[:len(wish)-len(ext)], n, ext)
			}
			files[bot.File] = bot.Scenario
		}
	}
	return files
}
