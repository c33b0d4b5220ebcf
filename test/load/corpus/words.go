package corpus

// The vocabulary. Firms and places are invented; product classes, hazards and
// remedies are what such notices are about, in our own words.

var (
	brandHeads = []string{"Vel", "Tor", "Mib", "Quin", "Dra", "Osk", "Pell", "Ruv", "Zan", "Kelm", "Ilm", "Brev", "Sart", "Fenn", "Gawl", "Hesp", "Jov", "Lumb", "Nax", "Wend"}
	brandTails = []string{"dorra", "wick", "matte", "sby", "lune", "nox", "ferra", "tansa", "gild", "horpe", "mere", "kova", "stell", "puffin", "radle", "bourne", "quay", "lisk"}
	firmForms  = []string{"Inc.", "LLC", "Co. Ltd.", "Trading GmbH", "Home Goods Inc.", "Nursery Products LLC", "Industries Ltd."}
	cities     = []string{"Duluth, Minnesota", "Macon, Georgia", "Yuma, Arizona", "Bangor, Maine", "Provo, Utah", "Salem, Oregon", "Toledo, Ohio", "Tampa, Florida"}
	countries  = []string{"China", "Vietnam", "Mexico", "Taiwan", "Thailand", "Poland", "India", "United States"}
	shops      = []string{"department stores", "baby shops", "home centres", "toy shops", "hardware stores", "sporting goods stores", "discount stores", "furniture stores"}
	colours    = []string{"grey", "white", "navy blue", "sage green", "natural wood", "coral", "black", "cream"}
	places     = []string{"on a white label under the seat", "on a silver rating plate on the back", "on a sewn-in fabric tag", "moulded into the underside of the base", "on a sticker inside the battery door", "on the bottom of the carton", "on a label on the rear leg"}
	months     = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	shirtSizes = []string{"2T through 5T", "XS through XL", "small, medium and large", "one size"}
)

// class is one class of products with what usually goes wrong with it.
type class struct {
	one, many, part string
	hazards         []string // keys of hazards
}

var classes = []class{
	{"Crib", "cribs", "drop side", []string{"entrapment", "fall"}},
	{"Bassinet", "bassinets", "locking leg", []string{"suffocation", "fall"}},
	{"Stroller", "strollers", "folding hinge", []string{"laceration", "fall"}},
	{"High Chair", "high chairs", "tray latch", []string{"fall", "choking"}},
	{"Play Yard", "play yards", "top rail", []string{"entrapment", "fall"}},
	{"Infant Swing", "infant swings", "harness buckle", []string{"fall", "strangulation"}},
	{"Baby Gate", "baby gates", "pressure mount", []string{"fall", "entrapment"}},
	{"Teether", "teethers", "silicone bead", []string{"choking"}},
	{"Rattle", "rattles", "end cap", []string{"choking"}},
	{"Wooden Puzzle", "wooden puzzles", "knob", []string{"choking", "lead"}},
	{"Toy Train", "toy trains", "wheel", []string{"choking", "lead"}},
	{"Magnetic Building Set", "magnetic building sets", "magnet housing", []string{"ingestion"}},
	{"Children's Pajama", "children's pajamas", "fabric", []string{"burn"}},
	{"Children's Hooded Jacket", "children's hooded jackets", "drawstring", []string{"strangulation"}},
	{"Bunk Bed", "bunk beds", "guard rail", []string{"entrapment", "fall"}},
	{"Dresser", "dressers", "drawer slide", []string{"tipover"}},
	{"Bookcase", "bookcases", "wall anchor", []string{"tipover"}},
	{"Bed Rail", "bed rails", "mesh panel", []string{"entrapment", "suffocation"}},
	{"Space Heater", "space heaters", "fan motor", []string{"fire", "burn"}},
	{"Electric Kettle", "electric kettles", "handle", []string{"burn", "shock"}},
	{"Pressure Cooker", "pressure cookers", "lid lock", []string{"burn"}},
	{"Slow Cooker", "slow cookers", "control panel", []string{"fire"}},
	{"Coffee Maker", "coffee makers", "water tank", []string{"burn", "fire"}},
	{"Blender", "blenders", "blade assembly", []string{"laceration"}},
	{"Food Chopper", "food choppers", "safety switch", []string{"laceration"}},
	{"Dehumidifier", "dehumidifiers", "compressor", []string{"fire", "burn"}},
	{"Ceiling Fan", "ceiling fans", "blade bracket", []string{"impact"}},
	{"Floor Lamp", "floor lamps", "power cord", []string{"shock", "fire"}},
	{"Power Strip", "power strips", "outlet contact", []string{"fire", "shock"}},
	{"Power Bank", "power banks", "lithium-ion battery", []string{"fire", "burn"}},
	{"Electric Scooter", "electric scooters", "lithium-ion battery", []string{"fire", "fall"}},
	{"Hoverboard", "hoverboards", "battery pack", []string{"fire"}},
	{"Bicycle", "bicycles", "front fork", []string{"fall"}},
	{"Bicycle Helmet", "bicycle helmets", "chin strap", []string{"impact"}},
	{"Climbing Harness", "climbing harnesses", "buckle", []string{"fall"}},
	{"Trampoline", "trampolines", "frame weld", []string{"fall"}},
	{"Step Ladder", "step ladders", "spreader brace", []string{"fall"}},
	{"Lawn Mower", "lawn mowers", "blade brake", []string{"laceration"}},
	{"Chain Saw", "chain saws", "chain brake", []string{"laceration"}},
	{"Gas Grill", "gas grills", "regulator hose", []string{"fire", "burn"}},
	{"Fire Pit", "fire pits", "burner valve", []string{"burn", "fire"}},
	{"Candle", "candles", "glass container", []string{"fire", "laceration"}},
	{"Office Chair", "office chairs", "seat post", []string{"fall"}},
	{"Patio Umbrella", "patio umbrellas", "solar battery", []string{"fire"}},
	{"Window Blind", "window blinds", "inner cord", []string{"strangulation"}},
	{"Smoke Alarm", "smoke alarms", "horn circuit", []string{"alarm"}},
	{"Weighted Blanket", "weighted blankets", "zipper", []string{"suffocation"}},
	{"Bath Seat", "bath seats", "suction cup", []string{"drowning"}},
	{"Pool Drain Cover", "pool drain covers", "cover plate", []string{"drowning", "entrapment"}},
	{"Lighter", "lighters", "child-resistant trigger", []string{"burn", "fire"}},
}

// hazard is a kind of danger, in the words of a title and of a sentence.
type hazard struct{ title, sentence string }

var hazards = map[string]hazard{
	"entrapment":    {"Entrapment Hazard", "creating a gap in which a young child can become trapped"},
	"fall":          {"Fall Hazard", "posing a fall hazard to the user"},
	"suffocation":   {"Risk of Suffocation", "posing a risk of suffocation to infants"},
	"laceration":    {"Laceration Hazard", "posing a laceration hazard"},
	"choking":       {"Choking Hazard", "posing a choking hazard to young children"},
	"strangulation": {"Strangulation Hazard", "posing a strangulation hazard"},
	"lead":          {"Violation of the Lead Paint Ban", "and the paint on it holds more lead than the federal ban allows, which is toxic when swallowed"},
	"ingestion":     {"Magnet Ingestion Hazard", "so that loose magnets can be swallowed and injure the intestines"},
	"burn":          {"Burn Hazard", "posing a burn hazard"},
	"fire":          {"Fire Hazard", "which can overheat and ignite, posing a fire hazard"},
	"shock":         {"Shock Hazard", "exposing live parts and posing an electric shock hazard"},
	"tipover":       {"Tip-Over and Entrapment Hazards", "so that the unit is unstable when it is not anchored to the wall and can tip over onto a child"},
	"impact":        {"Injury Hazard", "posing an injury hazard from impact"},
	"alarm":         {"Failure to Alert", "and people are then not alerted to a fire"},
	"drowning":      {"Drowning Hazard", "posing a drowning hazard"},
}

var faults = []string{
	"can break during normal use", "can loosen over time", "can detach", "can crack when it is under load",
	"can fail without warning", "was assembled with the wrong screw", "does not meet the voluntary standard",
}

var incidents = []string{
	"None reported.",
	"%[2]s has received %[1]d reports of the %[3]s failing. No injuries have been reported.",
	"The firm has received %[1]d reports of incidents with the %[3]s, including two minor injuries to hands.",
	"%[2]s is aware of %[1]d complaints about the %[3]s, among them one bruise and one cut that needed stitches.",
}

// remedy is an option as the service names it, with the words for consumers.
type remedy struct{ option, sentence string }

var remedies = []remedy{
	{"Refund", "Consumers should immediately stop using the recalled %[1]s and contact %[2]s for a full refund. Proof of purchase is not needed; owners are asked to cut the %[3]s in two and to send a photograph of it."},
	{"Repair", "Consumers should immediately stop using the recalled %[1]s and contact %[2]s for a free repair kit, which holds a new %[3]s, a tool and illustrated instructions."},
	{"Replace", "Consumers should immediately take the recalled %[1]s away from children and contact %[2]s for a free replacement %[3]s, which will be shipped at no charge."},
	{"Dispose", "Consumers should stop using the recalled %[1]s, remove the %[3]s, and dispose of them in the household waste. %[2]s will send a voucher of the same value."},
}
