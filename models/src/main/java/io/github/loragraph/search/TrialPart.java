package io.github.loragraph.search;

import java.util.Map;

/**
 * What is to be done next: a trial up to a rung.
 *
 * @param number counts all parts of the search, from 0
 * @param trial from 0
 * @param rung the rung at which the trial is to be measured; at 0 it begins
 */
public record TrialPart(int number, int trial, int rung, Map<String, Object> parameters) {}
