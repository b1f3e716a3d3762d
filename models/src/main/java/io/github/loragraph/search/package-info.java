/**
 * The search for hyperparameters without the training: spaces, samplers that propose a trial's
 * parameters, and the schedule by which trials are begun, gone on with or left. All of it is
 * decided by a seed and by the results of earlier trials, never by the clock.
 */
@NullMarked
package io.github.loragraph.search;

import org.jspecify.annotations.NullMarked;
