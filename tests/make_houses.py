#!/usr/bin/env python3
"""Writes a CSV file of houses and their prices, as a seller's list might be: numbers, categories, dates, quotes,
missing cells. usage: make_houses.py ROWS > houses.csv"""
import csv
import datetime
import random
import sys

DISTRICTS = {"Centre": 1.45, "Harbour": 1.3, "Old Town": 1.2, "North Hill": 1.0, "Mill Lane": 0.85, "Station": 0.75}
HEATING = {"gas": 0, "heat pump": 18000, "oil": -9000, "wood": -4000}


def main():
    rows = int(sys.argv[1])
    chance = random.Random(7)
    out = csv.writer(sys.stdout)
    out.writerow(["id", "district", "area", "rooms", "built", "heating", "garden", "sold", "remarks", "price"])
    for i in range(rows):
        district = chance.choice(list(DISTRICTS))
        area = max(28.0, chance.gauss(105, 35))
        rooms = max(1, round(area / 26 + chance.gauss(0, 0.7)))
        built = chance.randint(1890, 2022)
        heating = chance.choice(list(HEATING))
        garden = chance.random() < 0.4
        sold = datetime.date(2015, 1, 1) + datetime.timedelta(days=chance.randint(0, 3280))
        price = area * 2600 * DISTRICTS[district] + rooms * 6000 + (built - 1950) * 350 + HEATING[heating]
        price += 25000 if garden else 0
        price *= 1 + 0.00011 * (sold - datetime.date(2015, 1, 1)).days
        price *= chance.gauss(1, 0.05)
        remark = chance.choice(["", "", 'called "the mill"', "quiet, near the park", "needs a new roof"])
        out.writerow([i + 1, district, "" if chance.random() < 0.02 else "%.1f" % area, rooms,
                      "" if chance.random() < 0.03 else built, heating, "yes" if garden else "no", sold.isoformat(),
                      remark, "%d" % round(price, -2)])


if __name__ == "__main__":
    main()
