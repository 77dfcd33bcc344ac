"""What the connectors for Facebook, Instagram and WhatsApp share. It is no plugin itself."""
