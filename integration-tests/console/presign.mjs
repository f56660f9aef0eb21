// Addresses that are signed for S3 (AWS, "Authenticating Requests: Using Query Parameters").
import crypto from 'node:crypto';
import { KEY, S3, SECRET } from './drive.mjs';

const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest();

/** An address of the S3 API that is good for ten minutes. */
export function presigned(method, path, more = {}) {
  const { host } = new URL(S3);
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const pairs = { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Credential': `${KEY}/${scope}`, 'X-Amz-Date': date, 'X-Amz-Expires': '600', 'X-Amz-SignedHeaders': 'host', ...more };
  const query = Object.entries(pairs).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).sort().join('&');
  const canonical = [method, path, query, `host:${host}\n`, 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const digest = crypto.createHash('sha256').update(canonical).digest('hex');
  const key = [date.slice(0, 8), 'us-east-1', 's3', 'aws4_request'].reduce(hmac, `AWS4${SECRET}`);
  return `http://${host}${path}?${query}&X-Amz-Signature=${hmac(key, ['AWS4-HMAC-SHA256', date, scope, digest].join('\n')).toString('hex')}`;
}
