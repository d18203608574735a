r"""The identification line with which a telegram or a readout begins (IEC 62056-21, 6.3.2).

/  X X X  Z  [\ W]*  identification  CR LF
   |      |  |_____ abilities: \2 also speaks HDLC
   |      |________ speed of what follows
   |_______________ the maker; a third letter in lower case promises to answer within 20 ms
"""

import re

# it has no parentheses but every data line has, so it never matches inside a telegram
START = re.compile(rb"/[A-Za-z]{3}[^\r\n()/!]{1,64}+\r?\n")
MAX_START = 70
