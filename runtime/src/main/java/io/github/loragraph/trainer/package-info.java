/** The training loop, the learning rate, checkpoints, and the folder that a run fills. */
@NullMarked
package io.github.loragraph.trainer;

import org.jspecify.annotations.NullMarked;
