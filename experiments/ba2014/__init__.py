"""Ba & Caruana 2014, "Do Deep Nets Really Need to be Deep?", arXiv:1312.6184."""
