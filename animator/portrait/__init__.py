"""From one picture to a face that can be animated."""
