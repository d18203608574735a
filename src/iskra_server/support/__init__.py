"""What a bug report needs, without who it is from: telegrams and texts with every identity replaced."""
