"""Whether a challenger may take the champion's place: rules, measured on the frozen val part."""
