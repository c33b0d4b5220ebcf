package gtin

// ExpandUPCE writes a UPC-E with the twelve digits of the UPC-A that it
// abbreviates (section 7.10). It takes the eight digits that are printed below
// the symbol: the number system 0 or 1, six digits, and the check digit, which
// is that of the UPC-A and must be right. Six or seven digits are not enough:
// they leave open the number system, the check digit, or which of both is
// missing.
func ExpandUPCE(digits string) (upca string, ok bool) {
	if len(digits) != 8 || !allDigits(digits) || digits[0] > '1' {
		return "", false
	}
	upca = expandUPCE(digits[0], digits[1:7])
	if upca[11] != digits[7] || !Valid(upca) {
		return "", false
	}
	return upca, true
}

// expandUPCE puts the zeros back that the symbol suppresses. The last of the
// six digits says where they stood.
func expandUPCE(system byte, six string) string {
	var company, item string
	switch last := six[5:]; last {
	case "0", "1", "2":
		company, item = six[:2]+last+"00", "00"+six[2:5]
	case "3":
		company, item = six[:3]+"00", "000"+six[3:5]
	case "4":
		company, item = six[:4]+"0", "0000"+six[4:5]
	default:
		company, item = six[:5], "0000"+last
	}
	return withCheckDigit(string(system) + company + item)
}
