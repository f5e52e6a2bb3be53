"""Boosted trees and one hidden layer that learns their raw margins."""
