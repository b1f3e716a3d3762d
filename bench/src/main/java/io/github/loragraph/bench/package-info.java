/**
 * The command {@code bench}: training steps of this program, of libtorch and of the program at
 * another commit, measured in turns beside what the machine allows.
 */
@NullMarked
package io.github.loragraph.bench;

import org.jspecify.annotations.NullMarked;
