/** The training loop, the learning rate, checkpoints, and the folder that a run fills. */
package io.github.loragraph.trainer;
