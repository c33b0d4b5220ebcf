package gtin

// Application Identifiers (AIs) that this package reads; section 3.2 lists all.
// Packaging (13), sell-by (16) and other dates are skipped: a notice that names
// production or expiry dates says nothing about them.
const (
	aiSSCC       = "00"
	aiGTIN       = "01"
	aiContent    = "02" // the GTIN of the items that a logistic unit contains
	aiLot        = "10"
	aiMade       = "11"
	aiBestBefore = "15"
	aiExpiry     = "17"
	aiSerial     = "21"
	aiExpiryTime = "7003" // YYMMDDHHMM
	aiMadeTime   = "8008" // YYMMDDHH, then perhaps minutes and seconds
	aiPiece      = "8006" // ITIP: the GTIN, then the number of the piece and of all
	aiPieces     = "8026" // ITIP of the pieces that a logistic unit contains
)

const (
	gtinDigits  = 14
	pieceDigits = 18
	maxLot      = 20 // sections 3.4.1 and 3.5.2: a lot or serial number has up to 20 characters
)

// aiDigits returns how many digits the AIs with the given first two digits
// have, and how long their values are when the two digits alone say so: these
// are the element strings of predefined length (section 7.8), behind which no
// FNC1 stands. length is 0 for values that end at an FNC1 or with the data;
// digits is 0 where no AI begins so.
func aiDigits(first, second byte) (digits, length int) {
	switch first {
	case '0':
		switch second {
		case '0':
			return 2, 18
		case '1', '2', '3':
			return 2, gtinDigits
		case '4':
			return 2, 16
		}
	case '1':
		if second == '0' {
			return 2, 0
		}
		return 2, 6
	case '2':
		switch second {
		case '0':
			return 2, 2
		case '1', '2':
			return 2, 0
		case '3', '4', '5':
			return 3, 0
		}
	case '3':
		switch second {
		case '0', '7':
			return 2, 0
		case '1', '2', '3', '4', '5', '6':
			return 4, 6
		case '9':
			return 4, 0
		}
	case '4':
		switch second {
		case '0', '2':
			return 3, 0
		case '1':
			return 3, 13
		case '3':
			return 4, 0
		}
	case '7':
		switch second {
		case '0', '2':
			return 4, 0
		case '1':
			return 3, 0
		}
	case '8':
		if second <= '2' {
			return 4, 0
		}
	case '9':
		return 2, 0
	}
	return 0, 0
}

// cutAI splits an AI off the beginning of a text. length is that of its value
// where it is fixed, else 0.
func cutAI(s string) (ai, rest string, length int, ok bool) {
	if len(s) < 2 || !allDigits(s[:2]) {
		return "", s, 0, false
	}
	n, length := aiDigits(s[0], s[1])
	if n == 0 || len(s) < n || !allDigits(s[:n]) {
		return "", s, 0, false
	}
	ai = s[:n]
	if ai == aiPiece || ai == aiPieces {
		length = pieceDigits // not predefined by its first digits, but fixed all the same
	}
	return ai, s[n:], length, true
}
