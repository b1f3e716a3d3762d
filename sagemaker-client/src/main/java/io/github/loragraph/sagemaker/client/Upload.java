package io.github.loragraph.sagemaker.client;

import java.nio.file.Path;

/**
 * A file that jobs read.
 *
 * @param target named by the content, so that what is there already is the same
 * @param checksum the SHA-256 of the content that the target is named by, in hexadecimal digits
 */
public record Upload(Path file, S3Location target, String checksum) {}
